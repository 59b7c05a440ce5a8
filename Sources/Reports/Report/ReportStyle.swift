// How a report looks, light and dark, and the little that moves in it. Without the script everything can be read, and
// the cells of the matrix are links to their pictures; with it they open in place.

/// Style sheet and script of a report.
enum ReportStyle {
  private static func variables(_ colors: FigureStyle.Colors, panel: String) -> String {
    "--paper:\(colors.paper);--panel:\(panel);--ink:\(colors.ink);--faint:\(colors.faint);--grid:\(colors.grid);"
      + "--right:\(colors.right);--wrong:\(colors.wrong)"
  }

  static var sheet: String {
    """
    :root{color-scheme:light dark;\(variables(FigureStyle.light, panel: "#f6f7f9"))}
    @media (prefers-color-scheme:dark){:root{\(variables(FigureStyle.dark, panel: "#1c2027"))}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);
    font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif}
    main,header,footer{max-width:1180px;margin:0 auto;padding:0 20px}
    header{padding-top:28px}
    h1{font-size:26px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
    h2{font-size:19px;margin:36px 0 10px;padding-top:4px}
    h3{font-size:15px;margin:0 0 8px;overflow-wrap:anywhere}
    p{margin:0 0 10px;max-width:75ch;overflow-wrap:anywhere}
    a{color:var(--right)}
    .faint{color:var(--faint)}
    bdi,td,th,dd,figcaption{overflow-wrap:anywhere}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:10px;margin:18px 0 0;padding:0}
    .tiles div{background:var(--panel);border-radius:8px;padding:10px 14px}
    .tiles dt{color:var(--faint);font-size:13px}
    .tiles dd{margin:0;font-size:21px;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.3}
    nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin-top:16px}
    .panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));gap:12px}
    .panels.wide{grid-template-columns:1fr}
    .figure{width:100%;height:auto;display:block}
    .scroll{overflow-x:auto;max-width:100%}
    table{border-collapse:collapse;font-variant-numeric:tabular-nums}
    table.list{width:100%}
    table.list th{text-align:left;color:var(--faint);font-weight:500;font-size:13px}
    table.list td,table.list th{padding:5px 12px 5px 0;border-bottom:1px solid var(--grid);vertical-align:top}
    table.list .num{text-align:right;white-space:nowrap}
    table.list td.bar{background:linear-gradient(to right,color-mix(in srgb,var(--right) 22%,transparent) \
    calc(var(--s)*100%),transparent 0) no-repeat;padding-left:6px}
    code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:13px}
    pre{background:var(--panel);border-radius:8px;padding:10px 14px;white-space:pre-wrap;overflow-wrap:anywhere;margin:0 0 12px}
    table.matrix{font-size:13px;margin-bottom:12px}
    table.matrix th{font-weight:500;padding:2px 8px 2px 0;text-align:right;white-space:nowrap;max-width:180px;
    overflow:hidden;text-overflow:ellipsis;position:sticky;left:0;background:var(--paper);z-index:1}
    table.matrix thead th{position:static;vertical-align:bottom;padding:0 0 6px;text-align:left;max-width:none}
    table.matrix thead th span{writing-mode:vertical-rl;text-orientation:sideways;transform:rotate(180deg);display:inline-block;max-height:160px;
    overflow:hidden;text-overflow:ellipsis}
    table.matrix td{width:38px;min-width:30px;height:32px;text-align:center;padding:0;border:1px solid var(--grid)}
    table.matrix td.right{background:color-mix(in srgb,var(--right) calc(var(--s)*100%),transparent)}
    table.matrix td.wrong{background:color-mix(in srgb,var(--wrong) calc(var(--s)*100%),transparent)}
    table.matrix td a{display:flex;width:100%;height:100%;min-height:32px;align-items:center;justify-content:center;\
    color:inherit;text-decoration:none}
    table.matrix td a:hover,table.matrix td a:focus-visible,table.matrix td a[aria-expanded=true]{\
    outline:2px solid var(--ink);outline-offset:-2px}
    td.right.deep{color:var(--paper)}
    @media (prefers-color-scheme:dark){td.on{color:var(--paper)}}
    p code,td code{white-space:nowrap}
    .cell{display:none;background:var(--panel);border-radius:8px;padding:12px 14px;margin:0 0 12px}
    .cell:target,.cell.open{display:block}
    .scripted .cell:target:not(.open){display:none}
    .pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(118px,1fr));gap:14px 12px;margin:0;padding:0}
    .pictures figure{margin:0;font-size:12.5px;line-height:1.35;min-width:0}
    .pic{display:block;width:112px;height:112px;max-width:100%;background:left center/contain no-repeat;\
    border-radius:4px;image-rendering:auto;print-color-adjust:exact;-webkit-print-color-adjust:exact;margin-bottom:4px}
    .none{background-color:var(--panel);display:flex;align-items:center;justify-content:center;color:var(--faint);font-size:12px;text-align:center}
    .note{border-left:3px solid var(--wrong);padding-left:10px}
    details{margin:10px 0}
    summary{cursor:pointer;color:var(--faint)}
    footer{color:var(--faint);font-size:13px;padding-top:28px;padding-bottom:40px}
    svg{background:transparent}
    \(FigureStyle.sheet(FigureStyle.light))
    @media (prefers-color-scheme:dark){\(FigureStyle.sheet(FigureStyle.dark))}
    @media (max-width:600px){main,header,footer{padding-left:14px;padding-right:14px}
    .tiles{grid-template-columns:repeat(2,1fr)}table.matrix th{max-width:92px}
    table.matrix td{width:32px}.pictures{grid-template-columns:repeat(auto-fill,minmax(104px,1fr))}.pic{width:104px;height:104px}}
    """
  }

  /// Opens the pictures of a cell in place, one cell at a time; Escape closes them.
  static let script = """
    (function(){var root=document.documentElement,open=null,link=null;root.classList.add('scripted');
    function close(){if(open){open.classList.remove('open');link.setAttribute('aria-expanded','false')}open=link=null}
    function show(a,quiet){var s=document.getElementById(a.hash.slice(1));if(!s)return;var same=s===open;close();
    if(same)return;open=s;link=a;s.classList.add('open');a.setAttribute('aria-expanded','true');
    if(!quiet)s.scrollIntoView({block:'nearest'})}
    document.addEventListener('click',function(e){var a=e.target.closest&&e.target.closest('a[data-cell],a[data-close]');
    if(!a)return;e.preventDefault();if(a.hasAttribute('data-close'))close();else show(a)});
    document.addEventListener('keydown',function(e){if(e.key==='Escape'){var a=link;close();if(a)a.focus()}});
    if(location.hash)document.querySelectorAll('a[data-cell]').forEach(function(a){
    if(a.hash===location.hash)show(a,true)})})();
    """
}
