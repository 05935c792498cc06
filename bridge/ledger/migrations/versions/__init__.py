"""One module a schema version. A change comes in two steps, expand and contract, so that old code keeps running."""
