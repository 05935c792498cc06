"""Everything that publishes events: the publisher library, the webhook gateway, the pollers."""
