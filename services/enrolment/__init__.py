"""Enrolment: the door. Owns registrations, their status and identity; answers or hands on every partner's record.

Reads `partners.{code}.events` and `reference.{kind}`; publishes `enrolment.facts`, `enrolment.identity`,
`enrolment.progress`, the owners' `.requests`, and receipts.
"""
