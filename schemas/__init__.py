"""The event envelope and payloads as typed models. Holds data only and imports nothing of ours."""
