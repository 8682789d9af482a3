"""The page that the HTML report fills: its style and its script, which load nothing."""

from string import Template

PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>fhirpkg validate</title>
<style>
body { font: 1rem/1.4 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
form { position: sticky; top: 0; background: Canvas; padding: .5rem 0; }
input[type=search] { font: inherit; width: 100%; max-width: 30rem; padding: .3rem; }
label { margin-right: 1rem; }
summary { font-weight: 600; cursor: pointer; padding: .3rem 0; overflow-wrap: anywhere; }
ul { list-style: none; padding: 0 0 0 1rem; margin: 0; }
li { border-top: 1px solid #8884; padding: .4rem 0; overflow-wrap: anywhere; }
.rule { scroll-margin-top: 8rem; }
.place, .advice { color: #666; }
.error, .fatal { color: #b00020; font-weight: 600; }
.warning { color: #8a5a00; font-weight: 600; }
.information { color: #0b57a4; font-weight: 600; }
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .place, .advice { color: #aaa; }
  .error, .fatal { color: #ff8a80; } .warning { color: #ffca6b; } .information { color: #8ab4f8; }
}
@media print { form { display: none; } }
</style>
</head>
<body>
<h1>fhirpkg validate</h1>
<p>$facts</p>
<form role="search">
<input type="search" aria-label="Search the findings" placeholder="rule, file, path or words">
$levels<a href="#files">by file</a> <a href="#rules">by rule</a>
<output></output>
</form>
<h2 id="files">By file</h2>
$files<h2 id="rules">By rule</h2>
$rules<script>
const form = document.querySelector("form");
const groups = [...document.querySelectorAll("details")].map(details => {
  const head = details.querySelector("summary").textContent.toLowerCase();
  const items = [...details.querySelectorAll("li")].map(
    item => [item, `$${head} $${item.textContent.toLowerCase()}`]);
  return [details, items];
});
function search() {
  const words = form.querySelector("input[type=search]").value.toLowerCase().split(/\\s+/);
  const levels = new Set([...form.querySelectorAll(":checked")].map(box => box.value));
  let files = 0;
  for (const [details, items] of groups) {
    let shown = 0;
    for (const [item, text] of items) {
      item.hidden = !levels.has(item.dataset.level) || !words.every(word => text.includes(word));
      shown += !item.hidden;
    }
    details.hidden = !shown;
    files += shown && !details.classList.contains("rule");
  }
  form.querySelector("output").textContent = `$${files} files`;
}
form.addEventListener("input", search);
form.addEventListener("submit", event => event.preventDefault());
</script>
</body>
</html>
""")
