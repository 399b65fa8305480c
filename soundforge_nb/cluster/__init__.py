"""Cluster: everything Dask: launch, discovery, security, dispatch, and the Dask workers' side."""
