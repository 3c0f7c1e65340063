var e=`contents`;function t(e){return Array.isArray(e)?e.flatMap(e=>typeof e==`string`?[e]:typeof e==`object`&&e&&`phrase`in e?[String(e.phrase)]:[]):[]}function n(e){if(!e)return`unknown`;try{return new Intl.DisplayNames([`en`],{type:`language`}).of(e)??e}catch{return e}}function r(e){if(!/<\/?[a-z][^>]*>|&(?:[a-z]+|#\d+);/i.test(e))return e;let t=new DOMParser().parseFromString(e,`text/html`);for(let e of t.querySelectorAll(`script,style,template`))e.remove();let n=t.createTreeWalker(t.body,NodeFilter.SHOW_TEXT);for(let e=n.nextNode();e;e=n.nextNode())e.parentElement?.closest(`pre`)||(e.nodeValue=e.nodeValue?.replace(/[ \t\r\n\f]+/g,` `)??``);for(let e of t.querySelectorAll(`p,div,h1,h2,h3,h4,h5,h6,ul,ol,li,dl,dt,dd,blockquote,pre,table,tr,figure,section,hr`))e.before(`

`),e.after(`

`);for(let e of t.querySelectorAll(`br`))e.after(`
`);for(let e of t.querySelectorAll(`td,th`))e.after(` `);return(t.body.textContent??``).replace(/[^\S\n]+/g,` `).replace(/ ?\n ?/g,`
`).replace(/\n{3,}/g,`

`).trim()}export{r as i,t as n,n as r,e as t};