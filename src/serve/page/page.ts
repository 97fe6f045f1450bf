/** The page to try the service. Its script fills it from /heads and /openapi.json. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>permafrost serve</title>
<link rel="stylesheet" href="/style.css">
<script src="/client.js" type="module"></script>
</head>
<body>
<main>
<h1>permafrost serve</h1>
<form id="access" hidden>
  <label>Token of this service <input id="token" type="password" autocomplete="off" required></label>
  <button>Use it</button>
</form>
<p id="facts"></p>
<section aria-labelledby="try">
<h2 id="try">Try it</h2>
<div class="row">
  <label>Head <select id="head"></select></label>
  <label>Classes <input id="top" type="number" min="0" value="5"></label>
  <label>Neighbours <input id="neighbors" type="number" min="0" max="100" value="0"></label>
</div>
<label id="drop">Drop images here, paste one, or choose <input id="files" type="file" accept="image/*" multiple></label>
<p id="problem" role="alert"></p>
<div id="answers" aria-live="polite"></div>
<details><summary>The same with curl</summary><pre id="curl" tabindex="0"></pre></details>
<details><summary>What came back</summary><pre id="raw" tabindex="0"></pre></details>
</section>
<section aria-labelledby="routes-title">
<h2 id="routes-title">All of it</h2>
<p>For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<div id="routes"></div>
</section>
</main>
</body>
</html>
`;
