"""Migrations by Alembic: one environment for all services, the scripts of each beside its tables."""
