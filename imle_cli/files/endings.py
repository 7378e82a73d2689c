"""Endings of files: what each is read as, and what becomes of those that are known but not read."""

ARRAY_ENDINGS = (".npy", ".npz")
TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".tab")
STATING_ENDINGS = (".graphml", ".gml", ".gexf", ".xml", ".net", ".paj", ".mtx", ".gr", ".col")
"""Of graphs that say themselves which of their edges are directed."""

GRAPH_ENDINGS = (*STATING_ENDINGS, ".json", ".cyjs", ".edges", ".edgelist", ".ncol")

_SHEET = ("a spreadsheet", "save its sheet as .csv")
_PICKLE = ("a pickle, which may run code when it is read", "save its array with numpy.save")
_DRAWING = ("a drawing, not pixels", "export it as .png")
_FRAME = ("a table of columns", "write it with pandas: DataFrame.to_csv(..., index=False)")
_LAYERS = ("a picture in layers or of a camera", "export it as .png")
_ARRAYS = ("a file of several arrays", "save the one with numpy.save, or as .csv")
_HEIGHTS = ("a raster of heights; climbing costs, not height", "save costs as .npy or .asc")
_SHAPES = ("shapes, not tiles or edges", "rasterise it to .asc, or save its graph as .graphml")
_POINTS = ("points of a scan", "make a raster of costs and save it as .npy or .asc")
_PACKED = ("an archive", "unpack it and give the file inside")
_TREE = ("a tree of texts", "save a map or scores as .csv, a graph as .graphml")
_PAGE = ("a document", "save the table in it as .csv")
_STREETS = ("raw map data", "make a graph, with OSMnx for instance, and save it as .graphml")
_NETWORKX = ("a graph in a format of networkx", "read it there and save it with networkx.write_graphml")
_CYTOSCAPE = ("a network of Cytoscape", "export it there as .cyjs or .graphml")
_GEPHI = ("a graph of Gephi", "export it there as .gexf")
_GRAPHMLZ = ("GraphML in gzip", "let its name end in .graphml.gz")
_GRAPH = ("a graph", "save it as .graphml, .gml, .gexf or Pajek .net, or its edges as .csv: source,target,weight")
_DOT = ("a graph for Graphviz", "convert it with: gv2gml FILE -o FILE.gml")
_ROS = ("a description of a map for ROS", "give the picture in it, in which black is expensive and transparent a wall")

UNREAD = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers"), _SHEET),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth"), _PICKLE),
    **dict.fromkeys((".svg", ".svgz", ".eps", ".ps", ".pdf", ".ai", ".wmf", ".emf"), _DRAWING),
    **dict.fromkeys((".parquet", ".feather", ".arrow", ".orc", ".sav", ".dta", ".rds", ".rdata"), _FRAME),
    **dict.fromkeys((".psd", ".xcf", ".heic", ".heif", ".dng", ".cr2", ".nef"), _LAYERS),
    **dict.fromkeys((".mat", ".h5", ".hdf5", ".hdf", ".nc", ".zarr", ".safetensors"), _ARRAYS),
    **dict.fromkeys((".dem", ".hgt", ".bil", ".adf", ".vrt", ".grd", ".dt1", ".dt2"), _HEIGHTS),
    **dict.fromkeys((".shp", ".geojson", ".gpkg", ".kml", ".kmz"), _SHAPES),
    ".xyz": ("points of a raster, one a line", "make a grid of it: gdal_translate -of AAIGrid FILE.xyz FILE.asc"),
    **dict.fromkeys((".las", ".laz", ".ply", ".pcd"), _POINTS),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst"), _PACKED),
    **dict.fromkeys((".jsonl", ".toml"), _TREE),
    **dict.fromkeys((".doc", ".docx", ".html", ".htm", ".md", ".rtf"), _PAGE),
    **dict.fromkeys((".osm", ".pbf"), _STREETS),
    **dict.fromkeys((".dot", ".gv"), _DOT),
    **dict.fromkeys((".gpickle", ".g6", ".s6", ".sparse6", ".graph6", ".adjlist", ".multiline_adjlist", ".leda"), _NETWORKX),
    **dict.fromkeys((".cys", ".cx", ".cx2", ".xgmml"), _CYTOSCAPE),
    **dict.fromkeys((".gephi", ".gdf"), _GEPHI),
    **dict.fromkeys((".tlp", ".tgf", ".sif", ".lgl", ".dl", ".vna", ".stp", ".gt", ".metis"), _GRAPH),
    ".graphmlz": _GRAPHMLZ,
    **dict.fromkeys((".yaml", ".yml"), _ROS),
}

_BEGINNINGS = {
    b"%!PS": _DRAWING,
    b"\xc5\xd0\xd3\xc6": _DRAWING,
    b"%PDF": _DRAWING,
    b"<svg": _DRAWING,
    b"<?xml": ("XML, a drawing or a graph", "export a drawing as .png, a graph as .graphml"),
    b"<!DOCTYPE": _PAGE,
    b"<html": _PAGE,
    b"PK\x03\x04": ("a ZIP archive or a spreadsheet", "unpack it, or save its sheet as .csv"),
    b"\xd0\xcf\x11\xe0": _SHEET,
    b"\x1f\x8b": ("compressed by gzip", "let its name end in .gz"),
    b"BZh": _PACKED,
    b"\xfd7zXZ": _PACKED,
    b"7z\xbc\xaf": _PACKED,
    b"Rar!": _PACKED,
    b"\x89HDF": _ARRAYS,
    b"CDF": _ARRAYS,
    b"MATLAB": _ARRAYS,
    b"PAR1": _FRAME,
    b"ARROW1": _FRAME,
    b"8BPS": _LAYERS,
    b"LASF": _POINTS,
    b"\x93NUMPY": ("an array of NumPy", "let its name end in .npy"),
    b"\x80\x04": _PICKLE,
    b"\x80\x05": _PICKLE,
}


def unread(ending: str) -> str | None:
    """Fault of a file of such an ending, if it is known but not read: what it is, and the way out."""
    if ending not in UNREAD:
        return None
    what, remedy = UNREAD[ending]
    return f"is {what}; such files are not read, so {remedy}"


def foreign(content: bytes) -> str | None:
    """The same of a content that is known by its first bytes, whatever its name says."""
    beginning = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    known = next((kind for first, kind in _BEGINNINGS.items() if beginning.startswith(first)), None)
    return None if known is None else f"is {known[0]}, whatever its name says; {known[1]}"
