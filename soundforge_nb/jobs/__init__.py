"""The durable job engine: jobs, states, kinds, queues, lifeline. No Dask, no audio."""
