"""The portal's pages as a table in C: embed.py OUTPUT FILE…

Every file but the HTML ones is served below /a/<hash of all>/, which stands for ASSETS in HTML. What gzip makes smaller is there in both forms; its
header has no time, so that the same files give the same program.
"""
import gzip, hashlib, os, sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def literal(data):
    lines = (data[i : i + 64] for i in range(0, len(data), 64))
    return "\n\t".join('"%s"' % "".join("\\%03o" % b for b in line) for line in lines)


def main(output, *paths):
    files = {os.path.basename(p): open(p, "rb").read() for p in sorted(paths)}
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(b"%s %d\n" % (name.encode(), len(data)) + data)
    prefix = "/a/%s/" % digest.hexdigest()[:16]
    out = ['#define PAGES_PREFIX "%s"' % prefix, "static const struct page_file page_files[] = {"]
    for name, data in files.items():
        extension = os.path.splitext(name)[1]
        start = extension == ".html"
        data = data.replace(b"ASSETS/", prefix.encode()) if start else data
        small = gzip.compress(data, 9, mtime=0)
        small = small if len(small) < len(data) * 9 // 10 else b""
        out.append('{"%s", "%s", "%s",' % (("/" if start else prefix) + name, TYPES[extension], hashlib.sha256(data).hexdigest()[:32]))
        for form in (data, small):
            out.append("\t{(const uint8_t *)%s, %d}," % (literal(form) or '""', len(form)))
        out.append("},")
    out.append("};")
    with open(output, "w") as f:
        f.write("\n".join(out) + "\n")


main(*sys.argv[1:])
