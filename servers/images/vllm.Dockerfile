# vLLM for a processor, where the official image can't be pulled. BASE: a Debian or Ubuntu whose
# python3 has the version of the suite's own, whose packages are put into the folder `server`.
ARG BASE
FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 libgomp1 libnuma1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/*
COPY server /packages
ENV PYTHONPATH=/packages HOME=/tmp
USER 1000:1000
# The official entrypoint takes the model as its first argument, too.
ENTRYPOINT ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model"]
