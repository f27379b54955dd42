"""Reporting: reads facts and receipts and writes none. Keeps each partner's views, and figures by date.

The consumer (`python -m services.reporting`) reads `enrolment.facts`, `mentoring.facts`, `assessment.facts`,
`enrolment.identity` and `partners.{code}.receipts`, and publishes `partners.{code}.view`; the server
(`python -m services.reporting.server`) answers over HTTP.
"""
