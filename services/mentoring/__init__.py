"""Mentoring: owns mentors, sessions and mentoring, and the signals that a trainee is at risk.

Reads `mentoring.requests`, `enrolment.progress` and `reference.{kind}`; publishes `mentoring.facts`,
`mentoring.progress` and receipts.
"""
