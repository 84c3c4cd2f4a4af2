# The lab on an NVIDIA GPU, as `make gpu-lab` has it: see docs/gpu.md.
#
#   docker build -t alexnet-lab .
#   docker run --rm --gpus all -v "$PWD/runs:/lab/runs" alexnet-lab
FROM tensorflow/tensorflow:2.21.0-gpu
WORKDIR /lab
COPY requirements.txt requirements-gpu.txt ./
RUN python3 -m pip install --no-cache-dir -r requirements-gpu.txt
COPY . .
CMD ["sh", "-c", "python3 -m lab.gpu && exec python3 -m lab --precision float16"]
