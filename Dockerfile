FROM python:3.13-slim AS build

WORKDIR /srv/ldn-evidence
COPY requirements/run.txt requirements/
RUN --mount=type=cache,target=/var/cache/pip \
    python3 -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --cache-dir=/var/cache/pip --disable-pip-version-check --require-hashes --no-deps -r requirements/run.txt

# .dockerignore names the few things that this takes.
COPY . .
# Editable, so that app/ keeps migrations/ and seed_data/ as its neighbours, as in a checkout.
RUN /opt/venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q app migrations


FROM python:3.13-slim

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin ldn \
    && install --directory --owner=ldn --group=ldn --mode=0750 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/ldn-evidence /srv/ldn-evidence

# The root file system may be read-only: whatever is written goes to /data.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/data \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/ldn-evidence.db
WORKDIR /srv/ldn-evidence
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/readyz\", timeout=4)"]
CMD ["ldn-evidence", "serve", "--migrate", "--seed"]
