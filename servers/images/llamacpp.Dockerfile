# llama.cpp's llama-server, where the official image can't be pulled. BASE: any Debian or Ubuntu
# with glibc 2.35 or later. `python -m servers image llamacpp --base BASE` puts the binaries
# of a wheel into the folder `server`.
ARG BASE
FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/*
COPY server /app
RUN chmod 755 /app/llama-server
USER 1000:1000
ENTRYPOINT ["/app/llama-server"]
