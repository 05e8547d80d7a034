/**
 * What the page does with JavaScript on: copies commands, and names the part of a treemap under the pointer or chosen with
 * the arrow keys, in both treemaps at once. Everything is readable without. Nothing in it comes from a report.
 */
export const pageScript = `
for(const pre of document.querySelectorAll('pre')){
  const code=pre.firstElementChild,button=document.createElement('button');
  button.type='button';button.textContent='Copy';
  button.onclick=async()=>{
    try{await navigator.clipboard.writeText(code.textContent);button.textContent='Copied'}
    catch{getSelection().selectAllChildren(code);button.textContent='Selected'}
    setTimeout(()=>{button.textContent='Copy'},1500)};
  pre.append(button)}
for(const chart of document.querySelectorAll('.treemap')){
  const readout=document.querySelector('.readout'),[first,second]=chart.querySelectorAll(':scope>g');
  const cells=[...first.children];let chosen=-1;
  const name=(group,index)=>group.querySelector('[data-cell="'+index+'"]');
  const choose=index=>{
    for(const on of chart.querySelectorAll('.on'))on.classList.remove('on');
    if(index===null){readout.textContent='';return}
    const before=name(first,index),after=name(second,index);
    for(const cell of[before,after])if(cell)cell.classList.add('on');
    const text=cell=>cell?cell.querySelector('title').textContent:'';
    const label=text(before||after),size=text(after).slice(text(after).lastIndexOf(': ')+2);
    readout.textContent=label+(before?(after?' → '+size:' → gone'):' (added)')};
  chart.addEventListener('pointerover',event=>{const cell=event.target.closest('[data-cell]');choose(cell?cell.dataset.cell:null)});
  chart.addEventListener('pointerleave',()=>choose(null));
  chart.setAttribute('tabindex','0');
  chart.addEventListener('blur',()=>choose(null));
  chart.addEventListener('keydown',event=>{
    const step={ArrowRight:1,ArrowDown:1,ArrowLeft:-1,ArrowUp:-1}[event.key];
    if(!step||cells.length===0)return;
    event.preventDefault();chosen=(chosen+step+cells.length)%cells.length;choose(cells[chosen].dataset.cell)})}
`;
