# syntax=docker/dockerfile:1
# The pipeline: joblens, DVC and Git, for a project folder mounted at /project.
#   docker build -f dockerfiles/train.Dockerfile -t joblens-train .
#   docker build -f dockerfiles/train.Dockerfile --build-arg TORCH_BACKEND=cu130 -t joblens-train .     (GPU)
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/project" joblens-train dvc repro

FROM python:3.11-slim-bookworm AS build
ARG TORCH_BACKEND=cpu
ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/joblens
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /build
RUN pip install uv==0.13.8 && uv venv "$VIRTUAL_ENV"
COPY requirements.txt requirements.lock ./
RUN uv pip install --torch-backend="$TORCH_BACKEND" "$(grep -E '^torch==' requirements.txt)" \
    && uv pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN uv pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /project \
    && useradd --create-home --uid 1000 joblens \
    && install --directory --owner joblens /project
COPY --from=build /opt/joblens /opt/joblens
ENV PATH=/opt/joblens/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    DVC_NO_ANALYTICS=1 \
    MPLBACKEND=Agg
USER 1000
WORKDIR /project
HEALTHCHECK --interval=5m --timeout=30s CMD ["joblens", "--help"]
CMD ["dvc", "repro"]
