# The bot as a container: no root, no shell in the start command, nothing to write but its state.
#
#   docker build -t plimsoll .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL \
#       --security-opt no-new-privileges --network none plimsoll
#
# For a release give the base by digest: --build-arg PYTHON_IMAGE=python@sha256:...
# Behind a private package index or authority, hand pip its configuration for the build only:
#   --secret id=pip_conf,src=pip.conf --secret id=pip_ca,src=ca.pem   (cert = /run/secrets/pip_ca)
# Neither reaches a layer.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_CONFIG_FILE=/run/secrets/pip_conf \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1

# pip and the build backend live outside the environment that ships.
WORKDIR /build
COPY requirements-build.lock requirements.lock ./
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=pip_ca \
    python3 -m venv /build/tools \
 && python3 -m venv --without-pip /opt/plimsoll \
 && /build/tools/bin/pip install --require-hashes --only-binary :all: \
        --requirement requirements-build.lock \
 && /build/tools/bin/pip --python /opt/plimsoll/bin/python install \
        --require-hashes --only-binary :all: --compile --requirement requirements.lock

COPY . .
RUN /build/tools/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
 && /build/tools/bin/pip --python /opt/plimsoll/bin/python install \
        --no-index --no-deps --compile dist/*.whl

FROM ${PYTHON_IMAGE}
ENV HOME=/var/lib/plimsoll \
    PATH=/opt/plimsoll/bin:/usr/local/bin:/usr/bin:/bin \
    PLIMSOLL_BOT__STATE_DIR=/var/lib/plimsoll/state \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

COPY --from=build /opt/plimsoll /opt/plimsoll
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/plimsoll /var/lib/plimsoll/state

WORKDIR /var/lib/plimsoll
VOLUME /var/lib/plimsoll/state
USER 10001:10001

# The age of the last good poll, read from a file; a killed bot that still polls is healthy.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
    CMD ["plimsoll", "health", "--state-dir", "/var/lib/plimsoll/state", "--max-age", "60"]

ENTRYPOINT ["plimsoll"]
CMD ["paper", "--scenario", "crash"]
