/** The look of the page at `/docs`: light and dark, from 360 px up, and on paper. */
export const docsStyles: string = `
:root { --text: #1f2328; --muted: #59636e; --line: #d8dee4; --back: #fff; --soft: #f5f6f8; --accent: #7c2fd0; --good: #1a7f37; --bad: #b3261e; --mark: #fff4cf }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --muted: #9aa4af; --line: #30363d; --back: #14161a; --soft: #1e2228; --accent: #c59bff; --good: #57c777; --bad: #ff8a80; --mark: #3a3212 }
}
* { box-sizing: border-box }
html { scroll-padding-top: 1.5rem }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.6 system-ui, sans-serif; overflow-wrap: anywhere }
a { color: var(--accent) }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.skip { position: absolute; left: -100rem }
.skip:focus { left: 1rem; top: 1rem; background: var(--back); padding: .5rem; z-index: 1 }
nav { padding: 1rem 1.25rem; border-bottom: 1px solid var(--line) }
nav .name { margin: 0; font-weight: 600 }
nav .name a { color: inherit; text-decoration: none }
nav .name span { color: var(--muted); font-weight: 400; font-size: .875rem }
nav h2 { font-size: .8125rem; margin: 1.25rem 0 .25rem }
nav h2 a { color: var(--muted); text-decoration: none }
nav ul { list-style: none; margin: 0; padding: 0; font-size: .875rem }
nav li a { display: block; padding: .3rem 0; color: inherit; text-decoration: none }
nav li a:hover { color: var(--accent) }
nav summary, dd summary { cursor: pointer; padding: .25rem 0; color: var(--muted) }
.wide { display: none }
main { max-width: 52rem; padding: 1rem 1.25rem 30vh; min-width: 0 }
h1, h2, h3, h4 { line-height: 1.25 }
main h1 { font-size: 2rem; margin: 1rem 0 .5rem }
main h2 { font-size: 1.5rem; margin: 3.5rem 0 .5rem }
h3 { font-size: 1.2rem; margin: 0 0 .5rem }
h4 { font-size: .875rem; margin: 1.5rem 0 .25rem; color: var(--muted) }
article { padding: 2rem 0; border-top: 1px solid var(--line) }
article:has(h3:target) h3 { background: var(--mark); box-shadow: 0 0 0 .35rem var(--mark); border-radius: .2rem }
code { font: .875em ui-monospace, monospace; background: var(--soft); padding: .15em .35em; border-radius: .3em }
pre { background: var(--soft); padding: 1rem; border-radius: .5rem; overflow-x: auto }
pre code { padding: 0; background: none }
.address b { display: inline-block; min-width: 3.75rem; font: 600 .8125rem ui-monospace, monospace; color: var(--accent) }
.address .delete { color: var(--bad) }
.address .get { color: var(--good) }
.address code { background: none; padding: 0 }
.credential, .must { color: var(--muted); font-size: .875rem }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { color: var(--muted); font-weight: 500 }
@media (max-width: 40rem) {
  thead { position: absolute; left: -100rem }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }
  td { display: block; padding: .1rem 0; border: 0 }
  td:nth-child(2) { color: var(--muted) }
}
dl { display: grid; grid-template-columns: 3.25rem 1fr; margin: .5rem 0 0; font-size: .9375rem }
dt { font: 600 .875rem/1.7 ui-monospace, monospace }
dd { margin: 0 0 .5rem; min-width: 0 }
dd p { margin: 0 0 .25rem }
.good { color: var(--good) }
.bad { color: var(--bad) }
@media (min-width: 64rem) {
  body { display: grid; grid-template-columns: 17rem minmax(0, 1fr) }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-bottom: 0; border-right: 1px solid var(--line) }
  .wide { display: block }
  .narrow { display: none }
  main { padding: 2rem 3rem 30vh }
}
@media print { nav { display: none } body { display: block } }
`;
