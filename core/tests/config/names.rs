//! Each option has names of its own wherever it can be set.

use std::collections::BTreeSet;

use respire_core::config::schema::{self, ROWS};

/// S0-CFG-02, S1-CFG-04, S1-CFG-06: the names in the environment and on a command line lead back to the option,
/// and to no other.
#[test]
fn names_lead_back_and_never_clash() {
    let mut seen = BTreeSet::new();
    for row in ROWS {
        let (env, flag) = (row.env().to_string(), row.flag().to_string());
        assert_eq!(schema::find_env(&env), Some(row));
        assert_eq!(schema::find_flag(&flag), Some(row));
        assert_eq!(schema::find(row.path), Some(row));
        let short = flag[2..].replace('-', "_");
        assert_eq!(schema::find(&short), Some(row));
        for name in [row.path.to_owned(), env, flag, short].into_iter() {
            assert!(seen.insert(name.clone()), "{name}");
        }
        for alias in row.aliases {
            assert_eq!(schema::find(alias), Some(row));
            assert!(seen.insert((*alias).to_owned()), "{alias}");
        }
        assert!(!row.doc().is_empty() && !row.doc().starts_with(' ') && row.doc().ends_with('.'));
    }
}

/// `REDIS_<SECTION>_<KEY>`, with the section `redis` said once or twice.
#[test]
fn names_are_made_from_paths() {
    let row = schema::find("redis.max_retry_backoff").unwrap();
    assert_eq!(row.env().to_string(), "REDIS_MAX_RETRY_BACKOFF");
    assert_eq!(row.flag().to_string(), "--max-retry-backoff");
    assert_eq!(schema::find_env("REDIS_REDIS_MAX_RETRY_BACKOFF"), Some(row));
    let row = schema::find("bulk.flush_interval").unwrap();
    assert_eq!(row.env().to_string(), "REDIS_BULK_FLUSH_INTERVAL");
    assert_eq!(row.flag().to_string(), "--bulk-flush-interval");
}

#[test]
fn what_is_almost_a_name_is_none() {
    for name in ["", "redis", "redis.", "redis.prot", "pool", "pool.", "pool.Size", "POOL.SIZE", "pool size"]
    {
        assert_eq!(schema::find(name), None, "{name}");
    }
    for name in ["REDIS_", "REDIS_URL", "REDIS_POOL", "POOL_SIZE", "redis_pool_size", "REDIS_POOL.SIZE"] {
        assert_eq!(schema::find_env(name), None, "{name}");
    }
    for name in ["", "--", "-pool-size", "pool-size", "--pool_size", "--pool.size"] {
        assert_eq!(schema::find_flag(name), None, "{name}");
    }
}
