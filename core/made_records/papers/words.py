"""What papers are about, and where they appear."""

from core.made_records.clerks import forms

ADJECTIVES = forms("""
efficient, scalable, adaptive, incremental, distributed, parallel, approximate, robust, optimal, secure, fast
dynamic, declarative, interactive
automatic, semantic, temporal, spatial, probabilistic, hierarchical, lazy, online, cost-based, self-tuning
fault-tolerant, memory-efficient, multi-dimensional, unified
""")
METHODS = forms("""
processing, evaluation, indexing, mining, optimization, integration, clustering, classification, compression
caching, replication, sampling, estimation, recovery
scheduling, partitioning, ranking, summarization, matching, verification, visualization, discovery
materialization, maintenance, learning, filtering, routing, aggregation
""")
THINGS = forms("""
queries, XML documents, data streams, relational databases, data warehouses, object-oriented databases
time series, spatial joins, moving objects, web services
association rules, views, workflows, sensor networks, transactions, similarity search, nearest neighbors
join algorithms, B-trees, hash tables, ontologies, schemas
heterogeneous sources, web pages, digital libraries, multimedia data, graphs, text collections, event logs
constraints, triggers, peer-to-peer systems, access paths
large tables, skyline queries, top-k queries, user preferences, metadata, scientific data, parallel machines
main memory, disks, mobile clients, skewed data, keyword search
""")
SETTINGS = forms("""
in the presence of updates, over the internet, with limited memory, under concurrency, in sensor networks
for decision support, using histograms, using wavelets
for mobile users, in federated systems, with user-defined functions, at scale, without indexes
for electronic commerce, in clusters of workstations, with quality guarantees
by sampling, from examples, in a shared-nothing architecture, for business processes, on modern hardware
with bounded error, across administrative domains, in practice
""")
STARTS = forms("""
-, -, -, a framework for, an approach to, on the, towards, a survey of, a comparison of, experiences with
the design of, an architecture for, models of, a study of
""")
# in full / as other bibliographies have it
VENUES = forms("""
Proceedings of the International Conference on Data Systems/ICDS/Int. Conf. on Data Systems/Data Systems Conference
Proceedings of the Symposium on Database Principles/SDP/Symp. on Database Principles
Journal of Information Management/J. Inf. Manage./JIM
Transactions on Database Engineering/TDE/Trans. Database Eng./IEEE-style Transactions on Database Engineering
Proceedings of the Conference on Very Large Tables/VLT/Conf. Very Large Tables
Record of Data Management/REC/Record
The Large Database Journal/LDB J./LDBJ
Proceedings of the Workshop on Web Data/WWD Workshop/Web Data
Proceedings of the European Conference on Extending Databases/ECED/Extending Databases
Knowledge and Data Review/KDR/Knowl. Data Rev.
""")
NOISE = forms(
    "extended abstract, technical report, full version, invited paper, demo, short paper, to appear,"
    "in preparation, tech. rep., thesis"
)
