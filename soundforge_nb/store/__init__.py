"""Store: sole owner of DuckDB. Knows no table's meaning; what the tables hold stands in `migrations`."""
