# syntax=docker/dockerfile:1
# The API: one worker that answers from the bundle mounted at /models/classifier, and
# codes titles with the encoder mounted at /models/titles.
#   docker build -f dockerfiles/api.Dockerfile -t joblens-api .
#   docker build -f dockerfiles/api.Dockerfile --build-arg TORCH_BACKEND=cu130 -t joblens-api .         (GPU)
#   docker run --rm -p 8000:8000 \
#     -v "$PWD/models/classifier:/models/classifier:ro" -v "$PWD/models/titles:/models/titles:ro" joblens-api

FROM python:3.11-slim-bookworm AS build
ARG TORCH_BACKEND=cpu
ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/joblens
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /build
RUN pip install uv==0.13.8 && uv venv "$VIRTUAL_ENV"
COPY requirements.txt requirements.lock ./
RUN uv pip install --torch-backend="$TORCH_BACKEND" "$(grep -E '^torch==' requirements.txt)" \
    && uv pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN uv pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 joblens
COPY --from=build /opt/joblens /opt/joblens
ENV PATH=/opt/joblens/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 1000
WORKDIR /home/joblens
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
ENTRYPOINT ["joblens", "serve"]
CMD ["--bundle", "/models/classifier", "--titles", "/models/titles", "--host", "0.0.0.0", "--port", "8000"]
