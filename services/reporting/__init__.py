"""Reporting: reads facts and writes none. Keeps each partner's view of its trainees, and national figures by date.

The consumer (`python -m services.reporting`) reads `enrolment.facts`, `assessment.facts` and `enrolment.identity`
and publishes `partners.{code}.view`; the server (`python -m services.reporting.server`) answers over HTTP.
"""
