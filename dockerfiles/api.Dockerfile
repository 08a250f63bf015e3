# syntax=docker/dockerfile:1
# The API: one worker that answers from the bundle at /models/classifier and codes titles with the encoder at
# /models/titles. Both are mounted, or baked in from the folders that BUNDLE and TITLES name.
#   docker build -f dockerfiles/api.Dockerfile -t joblens-api .
#   docker build -f dockerfiles/api.Dockerfile --build-arg BUNDLE=models/classifier -t joblens-api:baked .
#   docker build -f dockerfiles/api.Dockerfile --build-arg TORCH_BACKEND=cu130 -t joblens-api .         (GPU)
#   docker run --rm --read-only --tmpfs /tmp -p 8000:8000 \
#     -v "$PWD/models/classifier:/models/classifier:ro" joblens-api

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
# What only training and the page need goes, and the code that serving runs is compiled: nothing can be later,
# on a file system that is read only.
RUN uv pip uninstall \
        aiohttp celery cleanlab contourpy dulwich dvc dvc-data dvc-objects dvc-render \
        dvc-studio-client dvc-task fonttools kiwisolver mapie matplotlib optuna pandera pydeck pygit2 scmrepo \
        streamlit wandb \
    && find "$VIRTUAL_ENV" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} + \
    && "$VIRTUAL_ENV/bin/python" -W ignore -c "import joblens.serving.api, joblens.serving.server, \
joblens.serving.work, gliner, sentence_transformers, sklearn.linear_model, sklearn.model_selection, uvicorn, \
transformers.models.bert.modeling_bert"
# The folders that are baked in; `none` is an empty one.
ARG BUNDLE=none TITLES=models/titles
COPY models models
RUN mkdir -p none /models \
    && cp -r "$BUNDLE" /models/classifier \
    && cp -r "$TITLES" /models/titles \
    && chmod -R a+rX /models

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 joblens
COPY --from=build /opt/joblens /opt/joblens
COPY --from=build /models /models
ENV PATH=/opt/joblens/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /home/joblens
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
ENTRYPOINT ["joblens", "serve"]
CMD ["--bundle", "/models/classifier", "--titles", "/models/titles", "--host", "0.0.0.0", "--port", "8000"]
