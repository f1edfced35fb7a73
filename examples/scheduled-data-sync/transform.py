# ruff: noqa: D100, F821 - steps, params and context are what a step finds; output is what it leaves
import re

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}")


def cleaned(row):
    """The row as the warehouse wants it; ValueError says what is wrong with it."""
    email = str(row.get("email") or "").strip().lower()
    if not ADDRESS.fullmatch(email):
        raise ValueError(f"{email or 'nothing'} is no e-mail address")
    name = " ".join(str(row.get("name") or "").split()).title()
    if not name:
        raise ValueError("the name is empty")
    return {"id": row["id"], "name": name, "email": email, "changed": row["changed"][:10]}


rows, rejected = {}, []
for row in steps.extract.output["body"]:
    try:
        rows[row["id"]] = cleaned(row)
    except ValueError as error:
        rejected.append({"id": row["id"], "why": str(error)})
        print(f"contact {row['id']} is set aside: {error}")

context["extracted"] = len(steps.extract.output["body"])
context["rejected"] = len(rejected)
share = 100 * len(rejected) / max(1, context["extracted"])
if share > params["maxRejected"]:
    raise ValueError(
        f"{share:.0f} % of the rows are bad, over maxRejected = {params['maxRejected']}; nothing is written"
    )
output = {"rows": sorted(rows.values(), key=lambda row: row["id"]), "rejected": rejected}
