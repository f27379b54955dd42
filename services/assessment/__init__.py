"""Assessment: owns submissions, decisions and completion. Judges what the door hands on, on its own history and the
status attached.

Reads `assessment.requests`, `enrolment.progress` and `reference.{kind}`; publishes `assessment.facts`,
`assessment.progress` and receipts.
"""
