# The image answers POST /predict at once, with a model of scikit-learn's diabetes data:
#   docker run --rm -p 127.0.0.1:8000:8000 ordinate
# A folder of models mounted at /models is served in place of it, and train.py publishes there:
#   docker run --rm -v "$PWD/models:/models" -v "$PWD/data:/data:ro" --user "$(id -u):$(id -g)" \
#     ordinate python train.py --data /data/table.csv --target price
# By digest, so that a build of today and one of next year begin alike; CI tells of a newer one once a week.
# `--build-arg BASE_IMAGE=...` takes another, such as your own mirror of it.
ARG BASE_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${BASE_IMAGE} AS build
# Into a root of their own, from where one COPY takes the packages and leaves everything else behind.
# Wheels only: a source build would fetch tools that no hash covers. The compiler is a wheel as well, and
# stays in this stage.
COPY requirements.txt requirements-build.txt /tmp/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary :all: --root /packages -r /tmp/requirements.txt && \
    python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary :all: -r /tmp/requirements-build.txt
WORKDIR /srv/ordinate
COPY LICENSE train.py wsgi.py gunicorn.conf.py healthcheck.py ./
COPY app app/
COPY requirements.in pyproject.toml /tmp/
COPY supply /tmp/supply/
# Readable whatever the umask of the checkout was. Compiled now, since nothing can be written later;
# by hash and unchecked, so that no change of a file's time on its way into an image undoes it.
# The bill of materials is of what was installed above, and goes with it.
RUN packages="$(echo /packages/usr/local/lib/python3*/*-packages)" && \
    PYTHONPATH="$packages" python -m app.compiled && \
    PYTHONPATH="/tmp:$packages" python -m supply.sbom sbom.json && \
    chmod -R u=rwX,go=rX . && python -m compileall -q --invalidation-mode unchecked-hash app

FROM ${BASE_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Ordinate" \
      org.opencontainers.image.description="You POST x, it answers y: serves scikit-learn models over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
# All interfaces of the container, without a key: `docker run -p` decides who reaches it from outside. With
# ORDINATE_AUTH=on it asks for keys.
ENV HOST=0.0.0.0 \
    PORT=8000 \
    ORDINATE_ALLOW_OPEN=on \
    ORDINATE_MODELS=/models \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /packages/ /
COPY --from=build /srv/ordinate /srv/ordinate
WORKDIR /srv/ordinate
# The folder belongs to the user below, because a new named volume takes over owner and content.
RUN install -d -o 10001 -g 10001 /models
# By number: Kubernetes' runAsNonRoot cannot check a name.
USER 10001:10001
RUN python train.py
EXPOSE 8000
# Asks a worker, not just the socket, over TLS where that is spoken. -I keeps the working folder off the
# import path.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-I", "/srv/ordinate/healthcheck.py"]
CMD ["gunicorn", "wsgi:app"]
