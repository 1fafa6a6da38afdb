"""Reports on the queue and the database, as plain dictionaries."""

from core.monitoring.performance import processing_performance_monitoring
from core.monitoring.pool import connection_pool_monitoring
from core.monitoring.queue_report import distributed_queue_monitoring
from core.monitoring.status.document import status_monitoring

__all__ = [
    "connection_pool_monitoring",
    "distributed_queue_monitoring",
    "processing_performance_monitoring",
    "status_monitoring",
]
