"""Write the golden plans anew, and say which changed. Read the difference before it is committed."""

import sys

from tests.golden.plans import KEPT, cases, kept, outcome, place


def main() -> int:
    """Write every plan; end with 1 when one cannot be made."""
    KEPT.mkdir(exist_ok=True)
    failed = False
    for golden, environment in cases():
        made, path = outcome(golden, environment), place(golden, environment)
        if made.plan is None or made.failed:
            failed = True
            for item in made.diagnostics:
                print(f"{golden.name} {environment}: {item.where}: {item.code}: {item.message}", file=sys.stderr)
            continue
        text = kept(made.plan)
        changed = not path.exists() or path.read_text(encoding="utf-8") != text
        path.write_text(text, encoding="utf-8")
        print(f"{'changed' if changed else 'same   '} {path.name} {made.plan.hash}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
