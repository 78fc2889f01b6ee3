"""The process inside a run's workload: gets the source, drives the engine, hands over the result."""
