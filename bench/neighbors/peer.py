"""One search by a peer: python peer.py LIBRARY K COLUMNS FOLDER. Prints one line of JSON: seconds to build and to search, the answers."""

import json
import sys
import time
from pathlib import Path

import numpy as np

library, k, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
folder = Path(sys.argv[4])
X, Q = (np.fromfile(folder / name, dtype=np.float32).reshape(-1, columns) for name in ("X.bin", "Q.bin"))

if library == "faiss-flat":
    import faiss

    index = faiss.IndexFlatIP(columns)

    def build():
        index.add(X)

    def search(queries):
        return index.search(queries, k)[1]

elif library == "faiss-hnsw":
    import faiss

    index = faiss.IndexHNSWFlat(columns, 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.hnsw.efSearch = 50

    def build():
        index.add(X)

    def search(queries):
        return index.search(queries, k)[1]

elif library == "hnswlib":
    import hnswlib

    index = hnswlib.Index(space="cosine", dim=columns)
    index.init_index(max_elements=len(X), M=16, ef_construction=200, random_seed=1)

    def build():
        index.add_items(X)
        index.set_ef(50)

    def search(queries):
        return index.knn_query(queries, k=k)[0]

elif library == "usearch":
    from usearch.index import Index

    index = Index(ndim=columns, metric="cos", dtype="f32", connectivity=16, expansion_add=200, expansion_search=50)

    def build():
        index.add(np.arange(len(X)), X)

    def search(queries):
        return index.search(queries, k).keys

else:
    raise SystemExit(f"unknown library {library}")

started, building = time.perf_counter(), time.process_time()
build()
built, building = time.perf_counter(), time.process_time() - building
search(Q[:32])
ready, cpu = time.perf_counter(), time.process_time()
answers = search(Q)
print(
    json.dumps(
        {
            "buildSeconds": built - started,
            "buildCpuSeconds": building,
            "seconds": time.perf_counter() - ready,
            "cpuSeconds": time.process_time() - cpu,
            "indices": np.asarray(answers).astype(int).ravel().tolist(),
        }
    )
)
