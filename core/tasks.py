"""Names that existing scripts import from here."""

from core.monitoring import connection_pool_monitoring

__all__ = ["connection_pool_monitoring"]
