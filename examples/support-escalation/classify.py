# ruff: noqa: D100, F821 - payload and params are what a step finds; output is what it leaves
words = payload["text"].lower().replace(",", " ").replace(".", " ").replace("!", " ").split()
reasons = [word for word in params["urgentWords"] if word in words]
shouting = payload["text"].isupper() and len(words) > 2
if shouting:
    reasons.append("shouting")

name = payload["customer"].partition("@")[0].title()
if reasons:
    draft = f"Dear {name}, this is urgent to us too. A colleague will call you within the hour."
else:
    draft = f"Dear {name}, thank you for writing. You will have an answer by tomorrow."

print(f"{len(words)} words, urgent because of {reasons or 'nothing'}")
output = {"severity": "high" if reasons else "low", "reasons": reasons, "draft": draft}
