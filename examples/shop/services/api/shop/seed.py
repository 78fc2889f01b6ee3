"""Put a few articles into an empty shop, so that a preview shows something."""

from shop.database import connect

ARTICLES = (("Notebook", "4.50"), ("Pencil", "1.20"), ("Lamp", "39.00"))

if __name__ == "__main__":
    with connect() as db:
        for name, price in ARTICLES:
            db.execute("insert into articles (name, price) values (%s, %s) on conflict do nothing", (name, price))
