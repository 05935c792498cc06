"""Benchmarks: ``python -m tests.bench``. They print ratios, and the raw figures that these come from.

``make bench`` starts a PostgreSQL that waits for the disk and a RabbitMQ, and runs them.
"""
