"""The report as a static site that works from disk and asks nothing of the network."""

from reports.site.build import Site, build_site

__all__ = ["Site", "build_site"]
