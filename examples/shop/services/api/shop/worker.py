"""Confirms new orders by mail, one after the other."""

import os
import smtplib
import time

from shop.database import connect

NEXT = "select id, email from orders where confirmed_at is null order by id limit 1 for update skip locked"


def confirm_one() -> bool:
    """Confirm the oldest order that is not confirmed; say whether there was one."""
    with connect() as db:
        row = db.execute(NEXT).fetchone()
        if row is None:
            return False
        with smtplib.SMTP(os.environ["MAIL_HOST"]) as mail:
            mail.sendmail("shop@example.org", [row[1]], f"Subject: Your order {row[0]}\n\nThank you.")
        db.execute("update orders set confirmed_at = now() where id = %s", (row[0],))
    return True


if __name__ == "__main__":
    while True:
        if not confirm_one():
            time.sleep(2)
