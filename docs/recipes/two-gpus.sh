#!/bin/bash
# One machine with two GPUs, or with two sockets: a part for each, side by side.
#
#   ./two-gpus.sh /data/photos /data/photos.permafrost
#
# Without GPUs leave --device cuda and CUDA_VISIBLE_DEVICES away: then each part has the cores that taskset gives it.
set -uo pipefail
DATASET=${1:?names no data set}
STORE=${2:?names no store}
# The processors of each part, as taskset writes them; `lscpu --extended` shows which are near which GPU.
CORES=(0-7 8-15)

permafrost plan "$DATASET" --store "$STORE" --parts 2 --engine onnxruntime --device cuda || exit
PLAN=$(ls -d "$STORE"/parts/*) || exit

for part in 1 2; do
  CUDA_VISIBLE_DEVICES=$((part - 1)) taskset --cpu-list "${CORES[$((part - 1))]}" \
    permafrost extract --plan "$PLAN" --part "$part/2" &
done
for part in 1 2; do
  # Each `wait` gives the exit code of one; 3 means that some images cannot be read, which merge tells.
  wait -n || [ $? -eq 3 ] || echo "A part failed; merge says which." >&2
done

permafrost merge "$STORE"
