# syntax=docker/dockerfile:1
# One image for consumer, worker, web, server, scaling, migrate and deploy: what it does is its command.
# Runs as 1001 with a read-only root; writable must be /tmp and, where files of jobs are kept, /var/lib/headrace.

# The newest Python on which the suite runs.
ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS build
# Kernels are compiled for this processor and no other: every node of the cluster must be at least that (Haswell, Zen).
# For ARM: --build-arg CPU_NAME=generic.
ARG CPU_NAME=x86-64-v3
ENV NUMBA_CPU_NAME=${CPU_NAME} \
    NUMBA_CPU_FEATURES="" \
    NUMBA_CACHE_DIR=/opt/headrace/kernels \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/headrace/venv/bin:$PATH
WORKDIR /opt/headrace/app
RUN python -m venv /opt/headrace/venv
COPY requirements.lock ./
RUN pip install --no-deps --require-hashes --only-binary=:all: -r requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE prefect.yaml ./
COPY blocks ./blocks
COPY core ./core
COPY flows ./flows
COPY sql ./sql
COPY k8s/work-pools ./k8s/work-pools
COPY k8s/profiles ./k8s/profiles
RUN pip install --no-deps --no-build-isolation --editable . \
    && python -m compileall -q -j 0 /opt/headrace/venv/lib /opt/headrace/app \
    && python -m core.workloads warm \
    && python -m core.linkage.warm more \
    && chmod -R a+rX,go-w /opt/headrace

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG CPU_NAME=x86-64-v3
LABEL org.opencontainers.image.title="headrace" \
      org.opencontainers.image.description="Record matching at scale on Prefect and PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
RUN groupadd --gid 1001 headrace \
    && useradd --uid 1001 --gid 1001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin headrace \
    && install --directory --owner=1001 --group=1001 /var/lib/headrace
COPY --from=build /opt/headrace /opt/headrace
COPY --chmod=0755 docker/entrypoint.sh docker/healthcheck.py /opt/headrace/bin/
ENV NUMBA_CPU_NAME=${CPU_NAME} \
    NUMBA_CPU_FEATURES="" \
    NUMBA_CACHE_DIR=/tmp/kernels \
    HEADRACE_STATE_DIR=/var/lib/headrace \
    HOME=/tmp \
    PREFECT_HOME=/tmp/prefect \
    DO_NOT_TRACK=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/headrace/venv/bin:$PATH
WORKDIR /opt/headrace/app
USER 1001:1001
EXPOSE 4200 8080 8081
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["/opt/headrace/bin/healthcheck.py"]
ENTRYPOINT ["/opt/headrace/bin/entrypoint.sh"]
CMD ["headrace", "--help"]
