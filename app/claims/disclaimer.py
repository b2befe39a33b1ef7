"""The disclaimer that stands wherever the data set is shown."""

DISCLAIMER = (
    "This is a record of published evidence with its sources, not medical advice, and not a guideline. "
    "No low-dose naltrexone product is approved by the FDA for any condition; low-dose naltrexone is usually "
    "compounded, and compounded medicines are not reviewed by the FDA before sale. Naltrexone can cause sudden "
    "withdrawal in people taking opioids and blocks opioid pain relief: do not start, stop or combine it without your "
    "prescriber. Most records were checked against abstracts only, on the dates shown; evidence may be missing, and "
    "absence of a record does not mean absence of risk or of effect. Grades are computed by the stated rules and are "
    "not a formal GRADE assessment. In an emergency call your local emergency number."
)
