"""The Celery side: intake of events, the dispatcher, the tasks that run flows, and beat."""
