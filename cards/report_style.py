"""How the report looks, on a screen and on A4 alike: light only, and told by numbers where colours are lost."""

from cards.formats import one_line

_STYLE = """
@page { size: A4; margin: 16mm 16mm 18mm; }
@page {
  @bottom-left { content: "%FOOT%"; font: 8pt %FONT%; color: #56606c; }
  @bottom-right { content: counter(page) " of " counter(pages); font: 8pt %FONT%; color: #56606c; }
}
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; color-scheme: light; }
body { margin: 0; background: #fff; color: #1a1f26; font: 9pt/1.4 %FONT%; font-variant-numeric: tabular-nums; }
body, td, th, p, h1, h2 { overflow-wrap: anywhere; }
main { max-width: 178mm; margin: 0 auto; }
a { color: inherit; text-decoration: none; }
@media screen {
  body { background: #f4f6f8; }
  main { max-width: 210mm; margin: 24px auto; padding: 16mm; background: #fff; border: 1px solid #d5dbe1; }
  a:hover, a:focus-visible { text-decoration: underline; text-underline-offset: 3px; }
  a:focus-visible { outline: 2px solid #0b6e63; outline-offset: 2px; }
  :target { background: #e0f2ef; }
}
h1 { font-size: 22pt; line-height: 1.15; margin: 1mm 0; }
h2 { font-size: 11.5pt; margin: 4.5mm 0 0.8mm; break-after: avoid; }
h3 { font-size: 10pt; margin: 4.5mm 0 1mm; break-after: avoid; }
p { margin: 0 0 2mm; }
.muted, .sub { color: #56606c; }
.sub, .line { display: block; }
.sub { font-size: 8pt; }
code { font: 8.5pt ui-monospace, "Cascadia Mono", "Liberation Mono", monospace; overflow-wrap: anywhere; }
pre { font: 7.5pt/1.5 ui-monospace, "Cascadia Mono", "Liberation Mono", monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; margin: 0 0 2mm; padding: 2mm 3mm; background: #f4f6f8; border: 1px solid #d5dbe1;
  border-radius: 2mm; break-inside: avoid; }
.top { display: flex; justify-content: space-between; gap: 8mm; align-items: flex-start; }
.top h1 { max-width: 108mm; }
.top { border-bottom: 0.5mm solid #0b6e63; padding-bottom: 4mm; }
.top .state { text-align: right; font-size: 9pt; line-height: 1.6; flex: 0 0 62mm; }
.top p { margin: 0; }
.answer { font-size: 13pt; line-height: 1.4; margin: 3.5mm 0; }
.answer strong { color: #0b6e63; }
.strip { padding: 2.5mm 3.5mm; border-radius: 2mm; background: #fff3d6; color: #7a4f00; margin: 3mm 0 0; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4mm; break-inside: avoid; }
.figures div { border: 1px solid #d5dbe1; border-radius: 2.5mm; padding: 2mm 3mm; min-width: 0; }
.figures b { display: block; font-size: 17pt; line-height: 1.25; }
.figures .long b { font-size: 12pt; line-height: 1.75; }
.figures span { color: #56606c; font-size: 8pt; }
table { border-collapse: collapse; width: 100%; }
thead { display: table-header-group; }
tr, .box { break-inside: avoid; }
th { text-align: left; font-weight: 600; color: #56606c; border-bottom: 0.35mm solid #8a94a0; }
th, td { padding: 1.05mm 2mm 1.05mm 0; vertical-align: top; }
tbody td, tbody th { border-bottom: 1px solid #d5dbe1; }
tbody th { color: inherit; font-weight: 400; }
tfoot td, tfoot th { font-weight: 700; color: inherit; border: 0; }
.n { text-align: right; padding-right: 4mm; padding-left: 2mm; white-space: nowrap; }
.n:last-child { padding-right: 0; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 8mm; }
.bars th, .bars td { border: 0; padding: 0.6mm 0; vertical-align: middle; color: inherit; font-weight: 400; }
.bars th { width: 28%; }
.bars .n { width: 12%; font-weight: 700; }
.track { background: #eceff2; border-radius: 1mm; height: 4.4mm; overflow: hidden; }
.track i { display: block; height: 100%; background: #17897c; }
.track .left { background: #8a8a8a; }
.check { display: flex; gap: 8mm; background: #e0f2ef; border-radius: 2.5mm; padding: 3mm 4mm; margin-top: 4mm; }
.check h2 { margin: 0 0 1mm; }
.check > div { flex: 1 1 0; min-width: 0; }
.check p { margin-bottom: 1mm; }
.check .digest { flex: 0 0 44mm; line-height: 1.3; }
#population, #runs { break-before: page; }
h2 + p, h3 + p { break-after: avoid; }
.two td, .two th { padding-top: 0.8mm; padding-bottom: 0.8mm; }
.tight td, .tight th { padding-top: 0.45mm; padding-bottom: 0.45mm; }
.tight h2 { margin-top: 3mm; }
.small td, .small th { font-size: 7.5pt; line-height: 1.35; padding-top: 0.8mm; padding-bottom: 0.8mm; }
.small .sub { font-size: 7pt; }
.small code { font-size: 6.5pt; }
dl { display: grid; grid-template-columns: 45mm 1fr; gap: 1mm 4mm; margin: 0; }
dt { color: #56606c; }
.scroll + .scroll { margin-top: 3mm; }
dt, dd { break-inside: avoid; }
dd { margin: 0; }
@media screen and (max-width: 700px) {
  main { margin: 0; padding: 16px; border: 0; }
  .top, .two, .check { display: block; }
  .top .state { text-align: left; margin-top: 8px; }
  .figures { grid-template-columns: 1fr 1fr; }
  .scroll { overflow-x: auto; }
  .scroll table { min-width: 26em; }
  .scroll .small { min-width: 60em; }
  .bars th { width: 34%; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 2mm; }
}
"""
_FONT = '-apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif'


def style(foot: str) -> str:
    """Return the style sheet with the foot that stands on every printed page."""
    return _STYLE.replace("%FONT%", _FONT).replace("%FOOT%", css_text(foot)).strip()


def css_text(text: str) -> str:
    """Return foreign text for between quotation marks in CSS, where neither a quote nor `</style` may end anything.

    Everything but letters, digits and spaces is written as its code point.
    https://www.w3.org/TR/css-syntax-3/#consume-escaped-code-point
    """
    return "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in one_line(text))
