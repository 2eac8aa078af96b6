"""Perdure: durable process orchestration on PostgreSQL."""

__version__ = "0.1.0"
