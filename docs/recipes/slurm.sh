#!/bin/bash
# An array of Slurm: each task extracts its part of the plan. Copy it, and set the lines of #SBATCH and the paths.
#
#   permafrost plan /data/photos --store /shared/photos.permafrost --parts 16
#   export PLAN=/shared/photos.permafrost/parts/RUN     (the first command says where)
#   sbatch --array=0-15 slurm.sh
#   permafrost parts /shared/photos.permafrost                    what is done, meanwhile
#   permafrost merge /shared/photos.permafrost                    the store, or what is missing: 2,7
#   sbatch --array=2,7 slurm.sh                                   those alone once more, then merge again
#
#SBATCH --job-name=permafrost
#SBATCH --cpus-per-task=8
#SBATCH --hint=nomultithread
#SBATCH --mem=4G
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --output=permafrost-%A_%a.log
set -uo pipefail

permafrost extract --plan "${PLAN:?names no plan}" --part auto --threads "${SLURM_CPUS_PER_TASK:-0}"
code=$?
# 3: done, but for images that cannot be read. They stand in failures.csv after the merge, and no other try reads them.
if [ "$code" -eq 3 ]; then code=0; fi
exit "$code"
