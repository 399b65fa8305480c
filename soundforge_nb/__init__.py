"""Songs in, stems, analyses and SQL out: durable audio jobs for notebooks, on Dask and DuckDB.

>>> import soundforge_nb as sf
>>> sf.__version__
'0.1.0'
"""

__version__ = "0.1.0"
