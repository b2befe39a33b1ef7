# The tags are exact; docs/operations.md says how to pin them by digest.
FROM python:3.13.16-slim AS build

WORKDIR /srv/ldn-evidence
COPY requirements/run.txt requirements/build.txt requirements/
# The build backend stays outside of the environment that is shipped.
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/var/cache/pip \
    python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --cache-dir=/var/cache/pip --disable-pip-version-check --require-hashes --no-deps -r requirements/run.txt \
    && python3 -m pip install --cache-dir=/var/cache/pip --disable-pip-version-check --require-hashes --no-deps --target /opt/build -r requirements/build.txt

# .dockerignore names the few things that this takes.
COPY . .
# Editable, so that app/ keeps migrations/ and seed_data/ as its neighbours, as in a checkout.
RUN PYTHONPATH=/opt/build python3 -m pip --python /opt/venv/bin/python install --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q app migrations


FROM python:3.13.16-slim

# Nothing in the image installs anything: pip goes, and the copy of it that Python keeps.
RUN python3 -c "import ensurepip, shutil; shutil.rmtree(ensurepip.__path__[0])" \
    && python3 -m pip uninstall --yes --quiet --root-user-action=ignore pip \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin ldn \
    && install --directory --owner=ldn --group=ldn --mode=0750 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/ldn-evidence /srv/ldn-evidence

# The root file system may be read-only: whatever is written goes to /data.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=1 \
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
