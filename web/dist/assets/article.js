var e=`contents`;function t(e){return Array.isArray(e)?e.flatMap(e=>typeof e==`string`?[e]:typeof e==`object`&&e&&`phrase`in e?[String(e.phrase)]:[]):[]}function n(e){if(!e)return`unknown`;try{return new Intl.DisplayNames([`en`],{type:`language`}).of(e)??e}catch{return e}}function r(e){if(!/<\/?[a-z][^>]*>/i.test(e))return e;let t=new DOMParser().parseFromString(e,`text/html`);for(let e of t.querySelectorAll(`script,style,template`))e.remove();for(let e of t.querySelectorAll(`p,div,h1,h2,h3,h4,h5,h6,li,blockquote,tr,br`))e.append(`

`);return(t.body.textContent??``).replace(/[^\S\n]+/g,` `).replace(/ ?\n ?/g,`
`).replace(/\n{3,}/g,`

`).trim()}export{r as i,t as n,n as r,e as t};